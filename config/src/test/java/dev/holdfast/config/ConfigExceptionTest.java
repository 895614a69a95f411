/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.config.ConfigException.Problem;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ConfigExceptionTest {
    @Test
    void oneThatWasSentElsewhereHasItsMessageAndNoProblems() throws Exception {
        Problem problem = new Problem("a.yaml", 2, 3, "pipelines", "is 1", Optional.of("a mapping"), Optional.empty());
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new ObjectOutputStream(bytes).writeObject(new ConfigException(List.of(problem)));
        Object read = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray())).readObject();
        assertThat((ConfigException) read).hasMessage("a.yaml:2:3 pipelines: is 1; expected a mapping");
        assertThat(((ConfigException) read).problems()).isEmpty();
    }
}
