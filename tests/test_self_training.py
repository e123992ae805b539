"""A network's own labels, of each class where it is surest."""

import pytest
import torch
from torch import nn

import tlkit as tl


class Given(nn.Module):
    """A network whose logits are the first pixels of its images."""

    def forward(self, images):
        return images.flatten(1)[:, :3]


def pool(logits, labels=None):
    logits = torch.as_tensor(logits).float()
    images = torch.zeros(len(logits), 1, 2, 2)
    images.view(len(logits), -1)[:, :3] = logits
    return tl.data.Split(images, labels, tuple("abc"))


def test_each_class_gives_its_surest_evenly_by_hand():
    logits = [[0.9, 0, 0], [0.5, 0, 0], [0.7, 0, 0], [0, 0.3, 0], [0, 0.2, 0], [0, 0, 0.01]]
    found = {}
    for share in (0.5, 1):
        named = tl.balanced_pseudo_labels(Given(), pool(logits), share=share)
        pairs = sorted(zip(named.images.flatten(1).amax(1).tolist(), named.labels.tolist(), strict=True))
        found[share] = [(round(value, 2), label) for value, label in pairs]
    assert found[0.5] == [(0.01, 2), (0.3, 1), (0.9, 0)]  # 0.5 * 6 / 3 of each
    assert found[1] == [(0.01, 2), (0.2, 1), (0.3, 1), (0.7, 0), (0.9, 0)]  # two of each, where there are two


def test_a_frequent_class_swallows_no_other():
    named = tl.balanced_pseudo_labels(Given(), pool([[0.9, 0, 0]] * 20 + [[0, 0.1, 0]]), share=0.1)
    assert named.labels.bincount(minlength=3).tolist() == [1, 1, 0] and named.classes == ("a", "b", "c")


def test_labels_that_the_pool_has_are_not_looked_at():
    logits = torch.rand(30, 3, generator=torch.Generator().manual_seed(0))
    one = tl.balanced_pseudo_labels(Given(), pool(logits), share=0.3)
    other = tl.balanced_pseudo_labels(Given(), pool(logits, [2] * 30), share=0.3)
    assert one.labels.equal(other.labels) and one.images.equal(other.images)


@pytest.mark.parametrize("share", [0, -0.1, 1.1, float("nan")])
def test_a_share_of_nothing_or_of_more_than_all_is_refused(share):
    with pytest.raises(ValueError, match="above 0, which would keep nothing"):
        tl.balanced_pseudo_labels(Given(), pool([[1, 0, 0]]), share=share)


def test_a_tensor_is_not_a_split():
    with pytest.raises(TypeError, match="a Tensor is not a split; give one without labels"):
        tl.balanced_pseudo_labels(Given(), torch.rand(2, 1, 2, 2), share=0.5)


def test_a_share_is_not_rounded_up_by_what_floats_cannot_hold():
    logits = torch.zeros(100, 3)
    logits[:, 0] = torch.rand(100)
    for share in (0.07, 0.14, 0.55):
        named = tl.balanced_pseudo_labels(Given(), pool(logits), share=share)
        assert len(named) == -(-round(100 * 100 * share) // 300)


def test_labels_of_several_tasks_are_chosen_from_first():
    several = tl.data.Split(torch.rand(4, 1, 2, 2), {"a": [0, 1, 0, 1]}, {"a": ("x", "y", "z")})
    with pytest.raises(ValueError, match=r"choose one, as in split\.of"):
        tl.balanced_pseudo_labels(Given(), several, share=1)
