/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

/**
 * A test is written wrongly, such as one that waits on virtual time for what cannot happen. It must end the test: it is {@link
 * Fatal}, so that no policy repeats or answers the call, or takes it for a failure of the dependency. An error, so that no code
 * under test catches it as an exception.
 */
public final class TestMistake extends AssertionError {
    private static final long serialVersionUID = 1L;

    /** With the advice for the test's author. */
    public TestMistake(String message) {
        super(message);
    }
}
