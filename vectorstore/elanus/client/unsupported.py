"""The methods of Milvus's client that an embedded store does not have, and what to do instead."""

from __future__ import annotations

from collections.abc import Mapping

_ACCOUNTS = "a folder has no accounts; use file permissions"
_CLUSTER = "one process's store has no replicas, resource groups or clusters"
_SNAPSHOTS = "copy the store's folder while no client has it open"
_EXTERNAL = "insert the rows instead"
_FUNCTIONS = "make another collection with the function, and copy the rows"
_FILES = "give analyzers their words in analyzer_params"
_STRUCTS = "declare the struct array when the collection is created"

_BY_REASON: Mapping[str, tuple[str, ...]] = {
    _ACCOUNTS: (
        "add_privileges_to_group",
        "alter_role",
        "create_privilege_group",
        "create_role",
        "create_user",
        "describe_role",
        "describe_user",
        "drop_privilege_group",
        "drop_role",
        "drop_user",
        "grant_privilege",
        "grant_privilege_v2",
        "grant_role",
        "list_privilege_groups",
        "list_roles",
        "list_users",
        "remove_privileges_from_group",
        "revoke_privilege",
        "revoke_privilege_v2",
        "revoke_role",
        "update_password",
        "update_user",
    ),
    _CLUSTER: (
        "create_resource_group",
        "describe_replica",
        "describe_resource_group",
        "drop_resource_group",
        "dump_messages",
        "get_replicate_configuration",
        "get_replicate_info",
        "list_resource_groups",
        "session",
        "transfer_replica",
        "update_replicate_configuration",
        "update_resource_groups",
    ),
    _SNAPSHOTS: (
        "create_snapshot",
        "describe_snapshot",
        "drop_snapshot",
        "get_restore_snapshot_state",
        "list_restore_snapshot_jobs",
        "list_snapshots",
        "pin_snapshot_data",
        "restore_snapshot",
        "unpin_snapshot_data",
    ),
    _EXTERNAL: (
        "get_refresh_external_collection_progress",
        "list_refresh_external_collection_jobs",
        "refresh_external_collection",
    ),
    _FUNCTIONS: (
        "add_collection_function",
        "add_function_field",
        "alter_collection_function",
        "drop_collection_field",
        "drop_collection_function",
        "drop_function_field",
    ),
    _FILES: ("add_file_resource", "list_file_resources", "remove_file_resource"),
    _STRUCTS: ("add_collection_struct_field",),
    "compact is done when it returns; see get_compaction_state": ("get_compaction_plans", "list_compaction_tasks"),
}

UNSUPPORTED_METHODS: Mapping[str, str] = {name: why for why, names in _BY_REASON.items() for name in names}
"""What to do instead, by method."""
