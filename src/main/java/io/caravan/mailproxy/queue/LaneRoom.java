package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.message.LaneKey;

/**
 * What one lane can take now: the order for one claim.
 *
 * @param lane which one
 * @param room deliveries to claim, 1 and more
 * @param version state of the lane's backlog when this was asked, see {@link Lanes#claimed}
 */
public record LaneRoom(LaneKey lane, int room, long version) {}
