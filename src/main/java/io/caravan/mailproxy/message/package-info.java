/**
 * What every part speaks of: messages, recipients, accounts, deliveries, answers. Knows no Camel,
 * no SQL, no SMTP.
 */
@NullMarked
package io.caravan.mailproxy.message;

import org.jspecify.annotations.NullMarked;
