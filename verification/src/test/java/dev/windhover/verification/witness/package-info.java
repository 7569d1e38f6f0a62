/** What programs that others wrote make of our samples: the JDK's client, ws, curl, Chromium. */
@org.jspecify.annotations.NullMarked
package dev.windhover.verification.witness;
