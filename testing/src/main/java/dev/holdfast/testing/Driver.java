/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.testing;

import dev.holdfast.Call;
import dev.holdfast.Reply;
import dev.holdfast.time.VirtualTime;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;

/** The two calling styles: a call that parks a thread of virtual time, and one that returns a future. */
enum Driver {
    BLOCKING {
        @Override
        Running start(VirtualTime time, Call<Object> call, ScriptedAction<Object> script) {
            AtomicReference<Thread> thread = new AtomicReference<>();
            CompletableFuture<Reply<Object>> reply = time.spawn(() -> {
                thread.set(Thread.currentThread());
                return call.reply(attempt -> script.call());
            });
            return new Running(reply, () -> {
                Thread caller = thread.get();
                if (caller != null) {
                    time.interrupt(caller);
                }
            });
        }
    },
    ASYNC {
        @Override
        Running start(VirtualTime time, Call<Object> call, ScriptedAction<Object> script) {
            CompletableFuture<Reply<Object>> reply = call.replyAsync(attempt -> script.callAsync());
            return new Running(reply, () -> reply.cancel(true));
        }
    };

    /** A call under way, and how its caller gives it up. */
    record Running(CompletableFuture<Reply<Object>> reply, Runnable giveUp) {}

    abstract Running start(VirtualTime time, Call<Object> call, ScriptedAction<Object> script);
}
