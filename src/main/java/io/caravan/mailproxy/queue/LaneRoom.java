package io.caravan.mailproxy.queue;

/**
 * What one lane can take now: the order for one claim.
 *
 * @param accountPk the lane's account
 * @param room deliveries to claim, 1 and more
 * @param version state of the lane's backlog when this was asked, see {@link Lanes#claimed}
 */
public record LaneRoom(long accountPk, int room, long version) {}
