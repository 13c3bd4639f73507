/** The settings as the beans read them. */
@NullMarked
package io.caravan.mailproxy.config;

import org.jspecify.annotations.NullMarked;
