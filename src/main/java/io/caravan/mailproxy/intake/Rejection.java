package io.caravan.mailproxy.intake;

import org.jspecify.annotations.Nullable;

/**
 * Why one item is not stored; its id stays free.
 *
 * @param id the client's id; {@code null}: none was given, or one too long to be repeated
 * @param index place of the item in the call, from 0
 * @param reason text for people; the documented texts of genro-api 1.4 word for word
 * @param code stable snake_case word for programs
 * @param pointer JSON pointer (RFC 6901) into the request body; {@code null}: no single field
 */
public record Rejection(
    @Nullable String id, int index, String reason, String code, @Nullable String pointer) {}
