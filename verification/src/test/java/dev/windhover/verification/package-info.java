/** Windhover from outside: its architecture, its wire, its processes. */
@org.jspecify.annotations.NullMarked
package dev.windhover.verification;
