/**
 * Targets for the fuzzer: each feeds any bytes to one part and checks what must hold of what comes
 * out, beside that nothing is thrown. In a normal build the inputs that are checked in are played;
 * {@code ./run fuzz} looks for new ones.
 */
@NullMarked
package dev.windhover.verification.fuzz;

import org.jspecify.annotations.NullMarked;
