/** From a client's JSON to messages that may be stored: validation, batch rules. */
@NullMarked
package io.caravan.mailproxy.intake;

import org.jspecify.annotations.NullMarked;
