/** Accounts and tenants. */
@NullMarked
package io.caravan.mailproxy.admin;

import org.jspecify.annotations.NullMarked;
