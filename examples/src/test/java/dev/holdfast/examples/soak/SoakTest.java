/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.soak;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testlogs.Logs;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.Test;

@Logs({"chaos-enabled", "chaos is off"})
class SoakTest {
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    @Test
    void allIsWholeAfterFiveSecondsOfChaos() {
        int exitCode = Soak.run(new PrintStream(printed, true, UTF_8), "--minutes", "0.08");
        String text = printed.toString(UTF_8);
        assertThat(exitCode).as(text).isZero();
        assertThat(text).contains("there are 16 permits").doesNotContain("BROKEN");
    }

    @Test
    void aSoakThatShowsNothingIsRefused() {
        assertThat(Soak.run(new PrintStream(printed, true, UTF_8), "--minutes", "0.01"))
                .isEqualTo(2);
        assertThat(printed.toString(UTF_8)).contains("at least 0.05");
    }
}
