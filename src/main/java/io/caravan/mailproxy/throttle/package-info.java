/** What may be sent when: throttle rules, limits and their windows. */
@NullMarked
package io.caravan.mailproxy.throttle;

import org.jspecify.annotations.NullMarked;
