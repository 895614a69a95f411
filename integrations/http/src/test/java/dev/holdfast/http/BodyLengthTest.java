/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.ProtocolException;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class BodyLengthTest {
    private static void endAfterFive(int status, String... lines) throws ProtocolException {
        BodyLength length = Objects.requireNonNull(BodyLength.of("GET", status, List.of(lines)));
        length.add(2);
        length.add(3);
        length.end();
    }

    @Test
    void aBodyHasTheLengthThatItsHeaderSays() {
        assertThatCode(() -> endAfterFive(200, "5")).doesNotThrowAnyException();
        assertThatCode(() -> endAfterFive(206, "5")).doesNotThrowAnyException();
        for (String other : new String[] {"4", "6", "0", "9000000000000000000"}) {
            assertThatThrownBy(() -> endAfterFive(200, other))
                    .isInstanceOf(ProtocolException.class)
                    .hasMessage("5 bytes came of a body with Content-Length " + other);
        }
    }

    @Test
    void allValuesOfTheHeaderCount() {
        assertThatCode(() -> endAfterFive(200, "5", "5, 5")).doesNotThrowAnyException();
        assertThatThrownBy(() -> endAfterFive(200, "5", "6")).isInstanceOf(ProtocolException.class);
        assertThatThrownBy(() -> endAfterFive(200, "5, 6")).isInstanceOf(ProtocolException.class);
    }

    @Test
    void whatIsNoNumberIsForTheClientToJudge() {
        assertThatCode(() -> endAfterFive(200, "abc")).doesNotThrowAnyException();
        assertThatCode(() -> endAfterFive(200, "", "5")).doesNotThrowAnyException();
    }

    @Test
    void aResponseWithoutABodyMayNameTheLengthOfAnotherOnes() {
        List<String> five = List.of("5");
        assertThat(BodyLength.of("HEAD", 200, five)).isNull();
        assertThat(BodyLength.of("GET", 304, five)).isNull();
        assertThat(BodyLength.of("GET", 204, five)).isNull();
        assertThat(BodyLength.of("GET", 200, List.of())).isNull();
    }
}
