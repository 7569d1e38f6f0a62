/** Targets that need what is not public. */
@NullMarked
package dev.windhover.server;

import org.jspecify.annotations.NullMarked;
