/** Keys, and what is sealed with them. */
@NullMarked
package io.caravan.mailproxy.secret;

import org.jspecify.annotations.NullMarked;
