/** Data sources, migrations, SQL files. */
@NullMarked
package io.caravan.mailproxy.db;

import org.jspecify.annotations.NullMarked;
