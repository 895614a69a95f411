/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.internal.engine;

import dev.holdfast.internal.ChangesAlone;
import java.lang.ref.WeakReference;

/** Tells the observers of a pipeline what no call has caused. A policy that others have, too, does not keep the pipeline. */
final class OfNoCall implements ChangesAlone.Listener {
    private final WeakReference<Engine> engine;
    private final String policy;

    OfNoCall(Engine engine, String policy) {
        this.engine = new WeakReference<>(engine);
        this.policy = policy;
    }

    @Override
    public boolean isGone() {
        Engine at = engine.get();
        return at == null || !at.isPresent();
    }

    @Override
    public void noteChange(String from, String to, String cause) {
        Engine at = engine.get();
        if (at != null) {
            at.noteChange(policy, from, to, cause);
        }
    }

    @Override
    public void tellChanges() {
        Engine at = engine.get();
        if (at != null) {
            at.tellChanges();
        }
    }
}
