/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.httpclient5;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InputFramesTest {
    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int CONTINUATION = 9;
    private static final int END_STREAM = 1;
    private static final int END_HEADERS = 4;

    private final InputFrames frames = new InputFrames();

    private static ByteBuffer frame(int type, int flags, int length) {
        return ByteBuffer.allocate(9 + length)
                .putInt(length << 8 | type)
                .put((byte) flags)
                .putInt(1)
                .rewind();
    }

    @Test
    void aFrameMayComeOnlyAfterAWholeOne() {
        assertThat(frames.isBetweenFrames()).isTrue();
        ByteBuffer data = frame(DATA, 0, 70_000);
        while (data.hasRemaining()) {
            ByteBuffer piece = data.slice(data.position(), 1);
            frames.passed(piece);
            data.position(data.position() + 1);
            assertThat(piece.hasRemaining()).isFalse();
            assertThat(frames.isBetweenFrames()).isEqualTo(!data.hasRemaining());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {HEADERS, 5, CONTINUATION})
    void noFrameMayComeWhileHeadersAreOpen(int type) {
        frames.passed(frame(type, END_STREAM, 3));
        assertThat(frames.isBetweenFrames()).isFalse();
        frames.passed(frame(CONTINUATION, 0, 0));
        assertThat(frames.isBetweenFrames()).isFalse();
        frames.passed(frame(CONTINUATION, END_HEADERS, 3));
        assertThat(frames.isBetweenFrames()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {HEADERS, 5, CONTINUATION})
    void aFrameMayComeAfterWholeHeaders(int type) {
        frames.passed(frame(type, END_HEADERS | END_STREAM, 3));
        assertThat(frames.isBetweenFrames()).isTrue();
    }

    @Test
    void theFlagsOfOtherFramesSayNothingOfHeaders() {
        for (int type : new int[] {DATA, 2, 3, 4, 6, 7, 8, 10, 255}) {
            frames.passed(frame(type, 0, 8));
            assertThat(frames.isBetweenFrames()).isTrue();
        }
    }

    @Test
    void aServerIsGoneAwayOnceItSaysSo() {
        frames.passed(frame(HEADERS, END_HEADERS, 7));
        assertThat(frames.isGoneAway()).isFalse();
        frames.passed(frame(7, 0, 8));
        frames.passed(frame(DATA, 0, 1));
        assertThat(frames.isGoneAway()).isTrue();
    }

    private static ByteBuffer goAway(int last) {
        return frame(7, 0, 12).putInt(9, last).put(17, (byte) -1);
    }

    @Test
    void aServerThatGoesAwayRefusesTheStreamsAboveTheNumber() {
        ByteBuffer first = goAway(0x80_01_02_03); // the first bit means nothing
        while (first.hasRemaining()) {
            assertThat(frames.refuses(Integer.MAX_VALUE)).isEqualTo(first.position() >= 13);
            frames.passed(ByteBuffer.wrap(new byte[] {first.get()}));
        }
        assertThat(frames.isBetweenFrames()).isTrue();
        assertThat(frames.refuses(0x01_02_03)).isFalse();
        assertThat(frames.refuses(0x01_02_05)).isTrue();
        frames.passed(goAway(0x01_02_01));
        assertThat(frames.refuses(0x01_02_03)).isTrue();
        frames.passed(goAway(Integer.MAX_VALUE));
        assertThat(frames.refuses(0x01_02_03)).isTrue();
        assertThat(frames.refuses(0x01_02_01)).isFalse();
    }

    @Test
    void theFramesThatAreHandedOverAreWhole() {
        frames.passed(InputFrames.refusal(1));
        assertThat(frames.isBetweenFrames()).isTrue();
        assertThat(InputFrames.refusal(0x01020304))
                .isEqualTo(ByteBuffer.wrap(new byte[] {0, 0, 4, 3, 0, 1, 2, 3, 4, 0, 0, 0, 7}));
        ByteBuffer empty = InputFrames.emptyData(0x01020304);
        assertThat(empty).isEqualTo(ByteBuffer.wrap(new byte[] {0, 0, 0, 0, 0, 1, 2, 3, 4}));
    }
}
