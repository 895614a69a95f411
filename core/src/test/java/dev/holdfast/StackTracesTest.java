/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the pipeline itself throws has a stack trace if the program was started so. */
class StackTracesTest {
    /** Started by the test in a process of its own, since a program is started once. */
    static final class Program {
        public static void main(String[] args) {
            CallRejectedException rejection =
                    new CallRejectedException(Reason.OTHER, "p", "policy", "turned away", -1, null);
            CallTimeoutException timeout = new CallTimeoutException("p", "timeout", 1, 1);
            System.out.println(rejection.getStackTrace().length + " " + timeout.getStackTrace().length);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void rejectionsAndTimeoutsSayWhereIfTheProgramWasStartedSo(boolean on) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path")));
        if (on) {
            command.add("-Ddev.holdfast.stack-traces=true");
        }
        command.add(Program.class.getName());
        Process program = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(program.waitFor()).isZero();
        assertThat(said.strip()).isEqualTo(on ? "1 1" : "0 0");
    }
}
