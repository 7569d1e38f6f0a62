/** What is logged during tests, Netty's leak reports included: nothing unexpected may be. */
@org.jspecify.annotations.NullMarked
package dev.windhover.verification.logs;
