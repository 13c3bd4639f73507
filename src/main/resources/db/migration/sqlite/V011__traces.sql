-- W3C traceparent of the request that brought the message, 55 characters; NULL: it had none.
ALTER TABLE message ADD COLUMN trace_parent TEXT;
