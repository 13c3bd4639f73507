SELECT id, tenant_id, type, host, port, set_by, "user", ttl, limit_per_second, limit_per_minute, limit_per_hour, limit_per_day,
       limit_behavior, use_tls, batch_size, max_connections, max_messages_per_connection, local_address, tls_ca,
       failover_account_id, on_uncertain,
       created_at, updated_at, is_pec_account, imap_host, imap_port
FROM account
WHERE tenant_id = :?tenant
ORDER BY id
