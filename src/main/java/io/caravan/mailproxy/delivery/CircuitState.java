package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Health;

/**
 * An open circuit as all nodes see it.
 *
 * @param reason the relay's words or the local reason
 * @param since Unix milliseconds of the opening
 * @param until Unix milliseconds from which on any node may try
 * @param trial whether one tries
 */
record CircuitState(Health.State why, String reason, long since, long until, boolean trial) {}
