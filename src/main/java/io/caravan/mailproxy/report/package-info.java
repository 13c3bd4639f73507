/** Events to the tenant's sync URL: at least once, acknowledged call by call. */
@NullMarked
package io.caravan.mailproxy.report;

import org.jspecify.annotations.NullMarked;
