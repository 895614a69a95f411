/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.internal.ChangesAlone.Listener;
import dev.holdfast.internal.ChangesAlone.Listeners;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The pipelines that share one policy: up to 100,000, of which each one that is added must not ask all others. */
class ListenersTest {
    private final Listeners listeners = new Listeners();
    private long asked;

    private final class Pipeline implements Listener {
        private boolean isGone;

        @Override
        public boolean isGone() {
            asked++;
            return isGone;
        }

        @Override
        public void noteChange(String from, String to, String cause) {}

        @Override
        public void tellChanges() {}
    }

    private Pipeline added() {
        Pipeline pipeline = new Pipeline();
        listeners.add(pipeline);
        return pipeline;
    }

    @Test
    void aPipelineThatIsAddedAsksFewOthers() {
        for (int i = 0; i < 10_000; i++) {
            Pipeline unused = added();
        }
        assertThat(asked).isLessThan(20_000);
        assertThat(listeners.held()).isEqualTo(10_000);
    }

    @Test
    void thoseThatAreGoneAreNotHeld() {
        Pipeline stays = added();
        for (int i = 0; i < 10_000; i++) {
            added().isGone = true;
        }
        assertThat(listeners.held()).isLessThan(100);
        assertThat(listeners.any()).isSameAs(stays);
        assertThat(listeners.held()).isEqualTo(1);
    }

    @Test
    void ofManyThatHaveGoneAtOnceNoneIsAskedTwice() {
        List<Pipeline> all = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            all.add(added());
        }
        all.forEach(pipeline -> pipeline.isGone = true);
        asked = 0;
        assertThat(listeners.any()).isNull();
        assertThat(listeners.any()).isNull();
        assertThat(asked).isEqualTo(1_000);
    }
}
