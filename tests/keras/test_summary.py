import pytest

from minitf import keras, nn

MLP = """\
Model: "sequential_1"
_________________________________________________________________
Layer (type)                 Output Shape              Param #   
=================================================================
flatten_1 (Flatten)          (None, 784)               0         
_________________________________________________________________
dense (Dense)                (None, 128)               100480    
_________________________________________________________________
dense_1 (Dense)              (None, 10)                1290      
=================================================================
Total params: 101,770
Trainable params: 101,770
Non-trainable params: 0
_________________________________________________________________
"""  # noqa: W291 - as the lecture has it

CNN = """\
Model: "sequential"
_________________________________________________________________
Layer (type)                 Output Shape              Param #   
=================================================================
conv2d (Conv2D)              (None, 26, 26, 64)        640       
_________________________________________________________________
max_pooling2d (MaxPooling2D) (None, 13, 13, 64)        0         
_________________________________________________________________
conv2d_1 (Conv2D)            (None, 11, 11, 64)        36928     
_________________________________________________________________
max_pooling2d_1 (MaxPooling2 (None, 5, 5, 64)          0         
_________________________________________________________________
flatten (Flatten)            (None, 1600)              0         
_________________________________________________________________
dense (Dense)                (None, 128)               204928    
_________________________________________________________________
dense_1 (Dense)              (None, 10)                1290      
=================================================================
Total params: 243,786
Trainable params: 243,786
Non-trainable params: 0
_________________________________________________________________
"""  # noqa: W291 - as the lecture has it

BRANCHES = """\
Model: "both"
__________________________________________________________________________________________________
Layer (type)                    Output Shape         Param #     Connected to                     
==================================================================================================
a (InputLayer)                  [(None, 6)]          0                                            
__________________________________________________________________________________________________
b (InputLayer)                  [(None, 4)]          0                                            
__________________________________________________________________________________________________
shared (Dense)                  (None, 5)            25          left[0][0]                       
                                                                 b[0][0]                          
__________________________________________________________________________________________________
"""  # noqa: W291 - Keras pads its rows


@pytest.fixture(autouse=True)
def fresh_names():
    keras.backend.clear_session()


def cnn():
    model = keras.Sequential()
    model.add(keras.layers.Conv2D(64, (3, 3), activation="relu", input_shape=(28, 28, 1)))
    model.add(keras.layers.MaxPooling2D(2, 2))
    model.add(keras.layers.Conv2D(64, (3, 3), activation="relu"))
    model.add(keras.layers.MaxPooling2D(2, 2))
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(128, activation=nn.relu))
    model.add(keras.layers.Dense(10, activation=nn.softmax))
    return model


def test_the_dense_network_of_the_lecture(capsys):
    keras.Sequential([keras.layers.Flatten()])
    model = keras.Sequential()
    model.add(keras.layers.Flatten(input_shape=(28, 28)))
    model.add(keras.layers.Dense(128, activation=nn.relu))
    model.add(keras.layers.Dense(10, activation=nn.softmax))
    model.summary()
    assert capsys.readouterr().out == MLP


def test_the_convolutions_of_the_lecture(capsys):
    cnn().summary()
    assert capsys.readouterr().out == CNN


def lines(model, **options):
    found = []
    model.summary(print_fn=found.append, **options)
    return found


def test_several_branches_say_what_they_are_connected_to():
    a, b = keras.Input((6,), name="a"), keras.Input((4,), name="b")
    shared = keras.layers.Dense(5, name="shared")
    joined = keras.layers.concatenate(
        [shared(keras.layers.Dense(4, name="left")(a)), shared(b)], name="joined"
    )
    found = lines(keras.Model([a, b], joined, name="both"))
    expected = BRANCHES.splitlines()
    assert found[:5] == expected[:5]
    assert [line for line in expected[5:] if line not in found] == []
    assert found[-5:-1] == ["=" * 98, "Total params: 53", "Trainable params: 53", "Non-trainable params: 0"]


def test_line_length_and_positions():
    found = lines(cnn(), line_length=80, positions=[0.5, 0.8, 1.0])
    assert found[1] == "_" * 80 and found[3] == "=" * 80
    assert found[2] == "Layer (type)".ljust(40) + "Output Shape".ljust(24) + "Param #".ljust(16)
    assert found[10].startswith("max_pooling2d_1 (MaxPooling2D)")


def test_frozen_layers_count_as_not_trainable():
    model = cnn()
    model.layers[0].trainable = False
    assert lines(model)[-4:-1] == [
        "Total params: 243,786", "Trainable params: 243,146", "Non-trainable params: 640",
    ]  # fmt: skip


def test_models_within_models():
    inner = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))], name="inner")
    x = keras.Input((3,), name="x")
    outer = keras.Model(x, keras.layers.Dense(1)(keras.Model(x, inner(x), name="middle")(x)), name="outer")
    found = lines(outer)
    assert "middle (Functional)          (None, 2)                 8         " in found
    assert any(line.startswith("|  inner (Sequential)") for line in lines(outer, expand_nested=True))


def test_a_model_without_shapes_has_no_summary():
    with pytest.raises(ValueError, match="This model has not yet been built. Build the model first"):
        keras.Sequential([keras.layers.Dense(1)]).summary()
