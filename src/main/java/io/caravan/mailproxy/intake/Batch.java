package io.caravan.mailproxy.intake;

import java.util.List;

/**
 * A checked call of add-messages. {@code submitted} = submissions and their copies + rejections.
 *
 * @param submitted items in the call
 * @param submissions what may be stored, in the order of the call
 * @param rejected what may not, in the order of the call
 */
public record Batch(int submitted, List<Submission> submissions, List<Rejection> rejected) {}
