/** Targets that need what is not public. */
@NullMarked
package dev.windhover.http;

import org.jspecify.annotations.NullMarked;
