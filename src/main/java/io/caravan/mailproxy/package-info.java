/** Caravan Mail Proxy: an outbound mail proxy made of Apache Camel routes. */
@NullMarked
package io.caravan.mailproxy;

import org.jspecify.annotations.NullMarked;
