/** Which addresses of the network may be reached for a tenant. */
@NullMarked
package io.caravan.mailproxy.net;

import org.jspecify.annotations.NullMarked;
