/** Requests, answers, problems, authentication. */
@NullMarked
package io.caravan.mailproxy.http;

import org.jspecify.annotations.NullMarked;
