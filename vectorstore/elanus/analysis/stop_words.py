"""Lists of stop words that tantivy does not bring."""

from __future__ import annotations

# fmt: off
STOP_WORDS: dict[str, tuple[str, ...]] = {
    "indonesian": (
        "ada", "adalah", "adanya", "agar", "akan", "akibat", "aku", "anda", "antara", "apa", "apabila",
        "apakah", "atas", "atau", "bagaimana", "bagi", "bahkan", "bahwa", "banyak", "baru", "beberapa",
        "begitu", "belum", "berapa", "berbagai", "berupa", "bila", "bisa", "boleh", "bukan", "bukanlah",
        "dalam", "dan", "dapat", "dari", "daripada", "demikian", "dengan", "di", "dia", "dilakukan", "diri",
        "guna", "hal", "hampir", "hanya", "harus", "hingga", "ia", "ini", "itu", "jadi", "jangan", "jika",
        "jikalau", "juga", "kalau", "kalian", "kami", "kamu", "kapan", "karena", "ke", "kemudian", "kepada",
        "ketika", "kini", "kita", "lagi", "lain", "lainnya", "lalu", "lebih", "maka", "mana", "masih", "masing",
        "maupun", "melainkan", "melakukan", "melalui", "memang", "memiliki", "mengapa", "mengenai", "menjadi",
        "menurut", "mereka", "merupakan", "meski", "meskipun", "mungkin", "namun", "nya", "oleh", "olehnya",
        "pada", "padahal", "para", "per", "pernah", "pula", "pun", "saat", "saja", "saling", "sama", "sambil",
        "sampai", "sangat", "saya", "seandainya", "sebab", "sebagai", "sebagaimana", "sebagian", "sebelum",
        "sebuah", "secara", "sedang", "sedangkan", "sehingga", "sejak", "sekali", "sekitar", "selain", "selalu",
        "selama", "seluruh", "semakin", "sementara", "semua", "seorang", "seperti", "sering", "serta",
        "sesuatu", "sesudah", "setelah", "setiap", "siapa", "suatu", "sudah", "supaya", "tanpa", "tapi",
        "telah", "tentang", "tentu", "terhadap", "termasuk", "ternyata", "tersebut", "tetap", "tetapi", "tiap",
        "tidak", "tidaklah", "turut", "untuk", "walau", "walaupun", "yaitu", "yakni", "yang",
    ),
}
