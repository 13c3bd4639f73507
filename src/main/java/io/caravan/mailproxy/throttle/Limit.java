package io.caravan.mailproxy.throttle;

/**
 * So many SMTP transactions in any stretch of time of a window's length.
 *
 * @param most 1 and more
 */
public record Limit(Window window, long most) {}
