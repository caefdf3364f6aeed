"""Invented names; every one starts with 示范 so that nobody takes it for a real place."""

from __future__ import annotations

import itertools

FIRST = "泉柳荷云松竹兰梅桂枫杏桃莲菊槐榆柏桐樱棠"
SECOND = "涌荫香岭涛溪苑庄庭林花园池圃堤桥台坡湾畔"
TOWN = (
    "朝阳", "和平", "文昌", "锦绣", "长青", "金桥", "东岳", "南苑", "西园", "北湖",
    "青云", "永安", "福泽", "明德", "崇文", "尚武", "兴华", "建业", "安澜", "听泉",
    "望岳", "临河", "柳岸", "荷塘", "松涛", "竹影", "杏林", "桃源", "银杏", "丹枫",
    "春晖", "夏荷", "秋实", "冬青", "清源", "澄波", "映雪", "揽月", "观澜", "栖霞",
    "晨光", "暮云", "霁月", "凌云", "凤鸣", "鹤舞", "鹿鸣", "莺歌",
)  # fmt: skip


def community_names() -> list[str]:
    """List 400 two-character names in a fixed order, unlike neighbours next to each other."""
    pairs = [a + b for a, b in itertools.product(FIRST, SECOND)]
    return [pairs[(i * 167) % len(pairs)] for i in range(len(pairs))]
