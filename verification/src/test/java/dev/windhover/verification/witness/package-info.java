/** Tests our samples with other people's programs: the JDK's client, ws, curl, Chromium. */
@org.jspecify.annotations.NullMarked
package dev.windhover.verification.witness;
