"""Made-up stock of the depots."""
# ruff: noqa: E501

from __future__ import annotations

import numpy as np
import pandas as pd

from demo.scene import SEED
from demo.units import share

STOCK = (
    ("1010101", "帐篷（12平方米）", "顶"), ("1010102", "折叠床", "张"), ("1010103", "棉被", "床"), ("1010104", "毛毯", "条"),
    ("1010105", "睡袋", "个"), ("1010106", "雨衣", "件"), ("1010107", "雨靴", "双"), ("1010201", "饮用水", "箱"),
    ("1010202", "方便食品", "箱"), ("1010203", "应急照明灯", "盏"), ("1010204", "急救包", "个"), ("1010205", "消毒液", "桶"),
    ("2010101", "救生衣", "件"), ("2010102", "救生圈", "个"), ("2010103", "冲锋舟", "艘"), ("2010104", "橡皮艇", "艘"),
    ("2010105", "抛投器", "套"), ("2010106", "救生绳", "根"), ("2010201", "移动泵车", "台"), ("2010202", "潜水泵", "台"),
    ("2010203", "汽油抽水泵", "台"), ("2010204", "排水软管", "米"), ("2010205", "发电机", "台"), ("2010206", "移动照明车", "台"),
    ("2010207", "电缆", "米"), ("2010301", "对讲机", "部"), ("2010302", "卫星电话", "部"), ("2010303", "手持扩音器", "个"),
    ("2010304", "无人机", "架"), ("2010305", "强光手电", "支"), ("2010401", "液压破拆工具", "套"), ("2010402", "油锯", "台"),
    ("3010101", "编织袋", "百条"), ("3010102", "土工布", "卷"), ("3010103", "防汛沙袋", "百只"), ("3010104", "挡水板", "块"),
    ("3010105", "铁丝", "卷"), ("3010106", "木桩", "根"), ("3010107", "铁锹", "把"), ("3010108", "块石", "立方米"),
    ("3010201", "警示带", "盘"), ("3010202", "路锥", "个"),
)  # fmt: skip


def stock(depot: pd.DataFrame) -> pd.DataFrame:
    """42 classes, 11 528 items, spread over the depots (codes have the 7 digits of GB/T 38565; made up)."""
    chance = np.random.default_rng(SEED + 10)
    each = share(chance.lognormal(0, 0.9, 42), 11_528 - 42) + 1
    size = np.array([8.0] * 2 + [3.0] * 6 + [1.0] * 6)
    rows = []
    for (code, name, unit), total in zip(STOCK, each, strict=True):
        parts = share(size * chance.uniform(0.4, 1.6, 14), int(total))
        for number, place, amount in zip(depot["编号"], depot["名称"], parts, strict=True):
            if amount:
                rows.append(
                    (number, place, code, name, int(amount), unit, "政府" if amount > 9 else "社会")
                )
    table = pd.DataFrame(
        rows, columns=["仓库编号", "仓库名称", "物资编码", "物资名称", "数量", "单位", "权属"]
    )
    return table.sort_values(["仓库编号", "物资编码"]).reset_index(drop=True)
