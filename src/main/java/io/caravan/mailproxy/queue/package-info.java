/**
 * The durable queue: group commit, outbox, lanes, leases. With db the only package that knows
 * java.sql.
 */
@NullMarked
package io.caravan.mailproxy.queue;

import org.jspecify.annotations.NullMarked;
