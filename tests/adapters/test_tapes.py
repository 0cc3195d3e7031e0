"""What is special to one framework's tape."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pyhf_func.adapters import bridge
from tests.adapters.frameworks import backend

X = np.array([0.4, -0.8, 1.3])


def curved(x: Any) -> Any:
    return jnp.sum(jnp.sin(x) * jnp.roll(x, 1) ** 2)


def stretched(x: Any) -> Any:
    return jnp.exp(x) * x[0]


HESSIAN = jax.hessian(curved)(X)


class TestTorch:
    @pytest.mark.slow
    def test_gradcheck(self) -> None:
        backend("pytorch")
        import torch

        x = torch.tensor(X, requires_grad=True)
        assert torch.autograd.gradcheck(lambda x: bridge.apply(stretched, x), x)
        assert torch.autograd.gradgradcheck(lambda x: bridge.apply(stretched, x), x)

    @pytest.mark.slow
    def test_second_derivatives(self) -> None:
        backend("pytorch")
        import torch

        x = torch.tensor(X)
        hessian = torch.autograd.functional.hessian(lambda x: bridge.apply(curved, x), x)
        np.testing.assert_allclose(hessian, HESSIAN, rtol=1e-12, atol=1e-14)
        leaf = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(bridge.apply(curved, leaf), leaf, create_graph=True)
        (second,) = torch.autograd.grad(slope.sum(), leaf, create_graph=True)
        (third,) = torch.autograd.grad(second.sum(), leaf)
        ones = jnp.ones(3)
        expected = jax.grad(lambda x: jnp.sum(jax.hessian(curved)(x) @ ones))(X)
        np.testing.assert_allclose(third, expected, rtol=1e-12)

    @pytest.mark.slow
    @pytest.mark.parametrize("transform", ["grad", "jacrev", "jacfwd", "hessian", "vmap", "jvp"])
    def test_transformations(self, transform: str) -> None:
        """``torch.func``, against the transformation of the same name in JAX."""
        backend("pytorch")
        import torch

        x = torch.tensor(X)
        scalar = {"grad", "hessian"}
        function = curved if transform in scalar else stretched

        def bridged(x: Any) -> Any:
            return bridge.apply(function, x)

        if transform == "vmap":
            found, expected = torch.func.vmap(bridged)(x[:, None] * x), jax.vmap(function)(X[:, None] * X)
        elif transform == "jvp":
            found, expected = torch.func.jvp(bridged, (x,), (2 * x,)), jax.jvp(function, (X,), (2 * X,))
        else:
            found, expected = getattr(torch.func, transform)(bridged)(x), getattr(jax, transform)(function)(X)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12)

    def test_memory_is_shared(self) -> None:
        backend("pytorch")
        import torch

        from pyhf_func.adapters.tapes import torch as tape

        for tensor in (torch.tensor(X), torch.tensor(X)[1:], torch.tensor(2.0), torch.ones(2, 3).T, torch.ones(6)[::2]):
            view = tape._to_jax(tensor)
            assert np.asarray(view).ctypes.data == tensor.data_ptr()
            np.testing.assert_array_equal(view, tensor)
        array = jnp.arange(3.0)
        assert tape._exporter([])(array).data_ptr() == array.unsafe_buffer_pointer()

    def test_views(self) -> None:
        """Strides, broadcasts, transpositions, and types that NumPy does not have."""
        backend("pytorch")
        import torch

        base = torch.arange(12.0, dtype=torch.float64).reshape(3, 4)
        for view in (base[:, 1], base.T, base[::2, 1::2], base[0].expand(3, 4), base.flip(0), base[1, 2]):
            np.testing.assert_array_equal(bridge.apply(jnp.square, view), view**2)
        half = bridge.apply(jnp.square, torch.tensor([1.5], dtype=torch.bfloat16))
        assert half.dtype == torch.bfloat16
        assert half.item() == 2.25

    def test_what_needs_no_gradient(self) -> None:
        backend("pytorch")
        import torch

        x = torch.tensor(X, requires_grad=True)
        values, places = bridge.apply(lambda x: (x, jnp.argsort(x)), x)
        assert values.requires_grad
        assert not places.requires_grad
        with torch.no_grad():
            assert not bridge.apply(jnp.square, x).requires_grad
        assert not bridge.apply(jnp.square, x.detach()).requires_grad


class TestTensorFlow:
    def test_second_derivatives(self) -> None:
        backend("tensorflow")
        import tensorflow as tf

        x = tf.Variable(X)
        with tf.GradientTape(persistent=True) as outer:
            with tf.GradientTape() as inner:
                value = bridge.apply(curved, x)
            slope = inner.gradient(value, x)
        np.testing.assert_allclose(slope, jax.grad(curved)(X), rtol=1e-12)
        hessian = outer.jacobian(slope, x, experimental_use_pfor=False)
        np.testing.assert_allclose(hessian, HESSIAN, rtol=1e-12, atol=1e-14)

    @pytest.mark.slow
    def test_in_graphs(self) -> None:
        """With a tape inside of ``tf.function``, outside, and two of them."""
        backend("tensorflow")
        import tensorflow as tf

        @tf.function
        def value(x: Any) -> Any:
            return bridge.apply(curved, x)

        @tf.function
        def inside(x: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                result = bridge.apply(curved, x)
            return result, tape.gradient(result, x)

        @tf.function
        def twice(x: Any) -> Any:
            with tf.GradientTape() as outer:
                outer.watch(x)
                with tf.GradientTape() as inner:
                    inner.watch(x)
                    result = bridge.apply(curved, x)
                total = tf.reduce_sum(inner.gradient(result, x))
            return outer.gradient(total, x)

        for factor in (1.0, 0.5):
            x = tf.constant(factor * X)
            expected, slope = jax.value_and_grad(curved)(factor * X)
            np.testing.assert_allclose(value(x), expected, rtol=1e-12)
            np.testing.assert_allclose(inside(x)[0], expected, rtol=1e-12)
            np.testing.assert_allclose(inside(x)[1], slope, rtol=1e-12)
            with tf.GradientTape() as tape:
                tape.watch(x)
                result = value(x)
            np.testing.assert_allclose(tape.gradient(result, x), slope, rtol=1e-12)
            np.testing.assert_allclose(twice(x), jax.hessian(curved)(factor * X).sum(axis=0), rtol=1e-12)

    def test_graphs_keep_what_gradients_need(self) -> None:
        """With the tape inside of the graph, nothing is run again on the way back."""
        backend("tensorflow")
        import tensorflow as tf

        from tests.adapters.test_bridge import Counter

        count = Counter()

        @tf.function
        def slope(x: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                result = bridge.apply(count, x)
            return tape.gradient(result, x)

        for _ in range(3):
            np.testing.assert_array_equal(slope(tf.constant([1.0, 2.0])), [3.0, 12.0])
        assert count.runs == 3

    def test_shapes_in_graphs(self) -> None:
        backend("tensorflow")
        import tensorflow as tf

        @tf.function(input_signature=[tf.TensorSpec([None], tf.float64)])
        def unknown(x: Any) -> Any:
            return bridge.apply(jnp.square, x)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.float64)])
        def ensured(x: Any) -> Any:
            result = bridge.apply(jnp.square, tf.ensure_shape(x, (3,)))
            assert result.shape == (3,)
            return result

        with pytest.raises(ValueError, match="ensure_shape"):
            unknown(tf.constant(X))
        np.testing.assert_array_equal(ensured(tf.constant(X)), X**2)

    def test_memory_is_shared(self) -> None:
        backend("tensorflow")
        import tensorflow as tf

        from pyhf_func.adapters.tapes import tensorflow as tape

        tensor = tf.constant(X)
        assert tape._to_jax(tensor).ctypes.data == tape._to_jax(tensor).ctypes.data
        array = jnp.arange(3.0)
        assert tape._to_jax(tape._exporter([])(array)).ctypes.data == array.unsafe_buffer_pointer()


class TestMXNet:
    def test_both_kinds_of_arrays(self) -> None:
        backend("mxnet")
        from pyhf_func.adapters.mxnet import mx

        x, y = mx.np.array(X, dtype="float64"), mx.nd.array(X, dtype="float64")
        x.attach_grad()
        y.attach_grad()
        with mx.autograd.record():
            loss = bridge.apply(lambda x, y: curved(x) + jnp.sum(y), x, y)
        loss.backward()
        np.testing.assert_allclose(x.grad.asnumpy(), jax.grad(curved)(X), rtol=1e-12)
        np.testing.assert_array_equal(y.grad.asnumpy(), np.ones(3))

    def test_gradients_add_up(self) -> None:
        backend("mxnet")
        from pyhf_func.adapters.mxnet import mx

        x = mx.np.array(X, dtype="float64")
        x.attach_grad(grad_req="add")
        for _ in range(2):
            with mx.autograd.record():
                loss = bridge.apply(curved, x) + bridge.apply(curved, x)
            loss.backward()
        np.testing.assert_allclose(x.grad.asnumpy(), 4 * jax.grad(curved)(X), rtol=1e-12)

    def test_memory_is_shared(self) -> None:
        backend("mxnet")
        from pyhf_func.adapters.tapes import mxnet as tape

        array = jnp.arange(3.0)
        assert tape._to_jax(tape._to_mxnet(array)).ctypes.data == array.unsafe_buffer_pointer()
