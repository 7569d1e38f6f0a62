/** Targets that need what is not public. */
@NullMarked
package dev.windhover.server.http1;

import org.jspecify.annotations.NullMarked;
