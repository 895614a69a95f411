/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.okhttp;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import okhttp3.Call;
import org.junit.jupiter.api.Test;

/** Retrofit brings an OkHttp that is too old, under another artifact name than that of OkHttp 5. */
class OldOkHttpTest {
    /** As {@code okhttp3.Call} before version 5. */
    private interface OldCall {
        @SuppressWarnings("unused") // of the real one
        void cancel();
    }

    @Test
    void anOlderOkHttpIsRefusedBeforeTheFirstCall() {
        assertThatIllegalStateException()
                .isThrownBy(() -> HoldfastCallFactory.checkVersion(OldCall.class))
                .withMessage(
                        "holdfast-okhttp needs OkHttp 5, but an older one is on the class path, such as that of"
                                + " Retrofit: exclude com.squareup.okhttp3:okhttp there, and add com.squareup.okhttp3:okhttp-jvm");
        assertThatCode(() -> HoldfastCallFactory.checkVersion(Call.class)).doesNotThrowAnyException();
    }
}
