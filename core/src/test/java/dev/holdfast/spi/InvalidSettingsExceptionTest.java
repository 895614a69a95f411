/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.spi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.spi.InvalidSettingsException.Problem;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.List;
import org.junit.jupiter.api.Test;

class InvalidSettingsExceptionTest {
    @Test
    void oneThatWasSentElsewhereHasItsMessageAndNoProblems() throws Exception {
        InvalidSettingsException sent =
                new InvalidSettingsException("retry", List.of(new Problem("maxAttempts", "-1", "1 to 100")));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new ObjectOutputStream(bytes).writeObject(sent);
        Object read = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray())).readObject();
        assertThat((InvalidSettingsException) read).hasMessage("retry: maxAttempts is -1 but must be 1 to 100");
        assertThat(((InvalidSettingsException) read).problems()).isEmpty();
    }
}
