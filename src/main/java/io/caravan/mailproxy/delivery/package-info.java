/** One attempt: compose, hand over by SMTP, read the relay's answers. */
@NullMarked
package io.caravan.mailproxy.delivery;

import org.jspecify.annotations.NullMarked;
