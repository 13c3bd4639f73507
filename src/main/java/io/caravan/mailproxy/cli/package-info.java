/** The command line. */
@NullMarked
package io.caravan.mailproxy.cli;

import org.jspecify.annotations.NullMarked;
