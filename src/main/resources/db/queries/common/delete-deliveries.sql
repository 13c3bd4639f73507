DELETE FROM queue WHERE tenant_id = ? AND pk BETWEEN ? AND ? + 1023
