/** Meters, the Prometheus writer, health checks. */
@NullMarked
package io.caravan.mailproxy.telemetry;

import org.jspecify.annotations.NullMarked;
