/**
 * Targets for the fuzzer. Each feeds arbitrary bytes to one part and checks what must hold for its
 * output, not only that nothing is thrown. A normal build replays the checked-in inputs; {@code
 * ./run fuzz} looks for new ones.
 */
@NullMarked
package dev.windhover.verification.fuzz;

import org.jspecify.annotations.NullMarked;
