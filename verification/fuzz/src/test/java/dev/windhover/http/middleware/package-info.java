/** Targets that need what is not public. */
@NullMarked
package dev.windhover.http.middleware;

import org.jspecify.annotations.NullMarked;
