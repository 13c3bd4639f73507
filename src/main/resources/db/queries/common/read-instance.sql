SELECT id, name, bounce_enabled, bounce_imap_host, bounce_imap_port, bounce_imap_user, bounce_imap_folder, bounce_imap_ssl,
       bounce_poll_interval, bounce_return_path, created_at, updated_at
FROM instance
