/** Meters, what is written to Prometheus and StatsD, health checks. */
@NullMarked
package io.caravan.mailproxy.telemetry;

import org.jspecify.annotations.NullMarked;
